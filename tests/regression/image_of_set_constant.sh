# Equal code has equal bytes in an image, whatever the hashes of the VM: the items of a constant set of str
# have an order of their own. (Behind the first bytes stands a check of the hash key, at the end one of all.)
for turn in 1 2 3; do
    "$GEN" -c "
import snapshot
image = snapshot.save(lambda x: x in {'north', 'east', 'south', 'west', 'up', 'down', ('a', 1)})
print(hash(image[9 + 10:-8]) != 0, image[9 + 10:-8].hex())"
done | uniq | cut -c 1-4
