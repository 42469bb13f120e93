# Equal code has equal bytes in an image, whatever the hashes of the VM: the items of a constant set of str
# have an order of their own. (What stands before the code says which VM it was; at the end is a checksum.)
for turn in 1 2 3; do
    "$GEN" -c "
import snapshot
image = snapshot.save(lambda x: x in {'north', 'east', 'south', 'west', 'up', 'down', ('a', 1)})
print(len(image) > 100, image[image.index(b'<lambda>'):-8].hex())"
done | uniq | cut -c 1-4
