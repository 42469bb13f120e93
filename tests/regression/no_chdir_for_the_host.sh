# The current folder is the whole process's: a script that was granted files below a directory cannot leave the
# host, and its other VMs, in another one.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" && mkdir in && echo inside >in/file
cat >script.gen <<'END'
import os
for change in lambda: os.chdir('in'), lambda: os.fchdir(os.open('in', os.O_RDONLY)):
    try:
        print(change())
    except PermissionError as error:
        print(error.strerror)
print(open('in/file').read().strip())
END
"$GEN" --sandbox --allow-read in script.gen
"$GEN" --sandbox --allow-read in --allow-env -c 'import os
os.chdir("in")
print(open("file").read().strip())'
