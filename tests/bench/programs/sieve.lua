-- The sieve of Eratosthenes over an array of flags.
local function main(n)
  local flags = {}
  for i = 1, n do flags[i] = true end
  local count, last = 0, 0
  for i = 2, n do
    if flags[i] then
      count = count + 1
      last = i
      for j = i * i, n, i do flags[j] = false end
    end
  end
  return count, last
end

local n = tonumber(arg[1]) or 5000000
print(string.format("%d %d", main(n)))
