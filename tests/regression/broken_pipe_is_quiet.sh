{ { "$GEN" -c 'for i in range(100000): print(i)'; echo "status $?" >&2; } 2>&3 | head -n 1; } 3>&1 | sort
