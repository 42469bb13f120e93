# Which C code runs the interpreter on top of itself (vm/reentries.def): what the host calls (genvm.c), what a program
# leaves to its end and the loading of the prelude (runtime.c). Tasks are entered by task.c alone. No native of the
# engine or the library does, nor the compiler; interpreter_pool.c drives VMs of its own on other threads.
cd "$GEN_ROOT" || exit 1
callers() { grep -rnE "$1" "$2" --include=*.c | grep -vE '^[^:]*:[0-9]*:[A-Za-z].*\{$' | cut -d: -f1 | sort | uniq -c |
    while read -r count file; do echo "$3 $file $count"; done; }
callers '\<vm_call(_tail)?\(' vm "runs script code:"
callers '\<interp_(run|continue)\(' vm "enters the interpreter:"
callers '\<vm_report_unraisable\(' vm "reports by script code:"
for folder in stdlib parser; do
    callers '\<(vm_call(_tail)?|vm_report_unraisable|interp_(run|continue)|task_run|gen_(call|call_method|eval|run|run_[a-z]+|next|send|close|iter|repr|to_text|import|error_text))\(' \
        $folder "a re-entry:"
done
echo done
