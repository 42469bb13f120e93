-- Integers sorted: random, reversed, nearly sorted.
local sort = table.sort

local function main(n)
  local seed = 42
  local a, b, c = {}, {}, {}
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    a[i], b[i] = seed, seed
  end
  sort(a)
  sort(b, function(x, y) return x > y end)
  for i = 1, n do c[i] = a[i] end
  for i = 0, n - 11, 100 do c[i + 1], c[i + 8] = c[i + 8], c[i + 1] end
  sort(c)
  local s = 0
  for i = 1, n, math.floor(n / 50) do s = (s * 7 + a[i] + b[i] + c[i]) % 1000003 end
  return s
end

local n = tonumber(arg[1]) or 500000
print(string.format("%d", main(n)))
