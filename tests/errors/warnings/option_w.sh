"$GEN" -W error -c 'import warnings; warnings.warn("x")' 2>&1 | tail -1
"$GEN" -Wignore -c 'import warnings; warnings.warn("x"); print("quiet")' 2>&1
"$GEN" -W ignore -W error::DeprecationWarning -c 'import warnings; warnings.warn("x"); warnings.warn("y", DeprecationWarning)' 2>&1 | tail -1
"$GEN" -W bad -W error:a:b:c:d:e -W error:::x:-1 -c 'import sys; print(sys.warnoptions)' 2>&1
"$GEN" -W error -c 'x = 5 is 5' 2>&1 | tail -1
"$GEN" -W ignore -c 'print(5 is 5)' 2>&1
"$GEN" -W 2>&1 | head -1
