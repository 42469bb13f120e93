-- A small stack machine interpreted by the script: dispatch by comparisons, tables as memory.
local PUSH, LOAD, STORE, ADD, SUB, MUL, MOD, LESS, JUMP, JUMP_IF, HALT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

local function program(n)
  return {
    { PUSH, 0 }, { STORE, 0 }, { PUSH, 1 }, { STORE, 1 },
    { LOAD, 0 }, { PUSH, n }, { LESS, 0 }, { JUMP_IF, 9 }, { HALT, 0 },
    { LOAD, 1 }, { PUSH, 31 }, { MUL, 0 }, { LOAD, 0 }, { ADD, 0 }, { PUSH, 65521 }, { MOD, 0 }, { STORE, 1 },
    { LOAD, 0 }, { PUSH, 1 }, { ADD, 0 }, { STORE, 0 }, { JUMP, 4 },
  }
end

local function run(code)
  local memory, stack, top, pc, steps = {}, {}, 0, 0, 0
  while true do
    local instruction = code[pc + 1]
    local op, arg = instruction[1], instruction[2]
    pc = pc + 1
    steps = steps + 1
    if op == PUSH then
      top = top + 1
      stack[top] = arg
    elseif op == LOAD then
      top = top + 1
      stack[top] = memory[arg]
    elseif op == STORE then
      memory[arg] = stack[top]
      top = top - 1
    elseif op == JUMP then
      pc = arg
    elseif op == JUMP_IF then
      if stack[top] then pc = arg end
      top = top - 1
    elseif op == HALT then
      return memory[1], steps
    else
      local b, a = stack[top], stack[top - 1]
      top = top - 1
      if op == ADD then
        a = a + b
      elseif op == SUB then
        a = a - b
      elseif op == MUL then
        a = a * b
      elseif op == MOD then
        a = a % b
      elseif op == LESS then
        a = a < b
      end
      stack[top] = a
    end
  end
end

local n = tonumber(arg[1]) or 250000
print(string.format("%d %d", run(program(n))))
