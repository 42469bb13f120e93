# Who starts a program with SIGINT ignored wants it so.
cat >"${TMPDIR:-/tmp}/ignored$$.py" <<'END'
import os, signal, time
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.05)
print('alive')
END
(trap '' INT; "$GEN" "${TMPDIR:-/tmp}/ignored$$.py")
rm "${TMPDIR:-/tmp}/ignored$$.py"
