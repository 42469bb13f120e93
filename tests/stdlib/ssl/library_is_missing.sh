# On a machine without OpenSSL import ssl raises ImportError, and all else works.
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
echo 'not a library' > "$folder/libcrypto.so.3"
LD_LIBRARY_PATH=$folder "$GEN" -c "
import asyncio
for attempt in range(2):
    try:
        import ssl
    except ImportError as error:
        print(type(error).__name__, 'libcrypto.so.3' in str(error))
print(asyncio.run(asyncio.sleep(0, 'asyncio works')))
"
