-- Items: calls of a doubly recursive fib.
local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

local n = tonumber(arg[1])
local result = fib(n)
local a, b = 1, 1
for _ = 1, n do a, b = b, a + b end
print(string.format("%d %d", 2 * a - 1, result))
