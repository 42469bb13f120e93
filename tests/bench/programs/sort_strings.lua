-- Strings sorted, with shared prefixes.
local function main(n)
  local seed, words = 42, {}
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    words[i] = string.format("word-%d-%d", seed % 100, seed)
  end
  table.sort(words)
  local s = 0
  for i = 1, n, math.floor(n / 50) do
    s = (s * 7 + tonumber(string.sub(words[i], -4)) + #words[i]) % 1000003
  end
  return s, words[1], words[n]
end

local n = tonumber(arg[1]) or 500000
print(string.format("%d %s %s", main(n)))
