/* engine_module.h - the hidden module _engine: natives for the engine's own Gen code. */
#ifndef GEN_ENGINE_MODULE_H
#define GEN_ENGINE_MODULE_H

#include "vm/vm.h"

#define ENGINE(name) extern const NativeDef engine_##name##_natives[];
#include "vm/engine.def"
#undef ENGINE

Value engine_module_new(GenVM *vm);

#endif
