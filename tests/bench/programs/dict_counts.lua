-- Counting in a table by integer keys and by string keys, then reading the counts back.
local function main(n)
  local by_number, by_name, names = {}, {}, {}
  for i = 0, 499 do names[i] = "key" .. i end
  local seed = 42
  for _ = 1, n do
    seed = seed * 16807 % 2147483647
    local k = seed % 1000
    by_number[k] = (by_number[k] or 0) + 1
    local name = names[seed % 500]
    if by_name[name] then
      by_name[name] = by_name[name] + 1
    else
      by_name[name] = 1
    end
  end
  local s, numbers, named = 0, 0, 0
  for k, v in pairs(by_number) do
    s = (s + k * v) % 1000003
    numbers = numbers + 1
  end
  for name, v in pairs(by_name) do
    s = (s + v * #name) % 1000003
    named = named + 1
  end
  return s, numbers, named
end

local n = tonumber(arg[1]) or 1500000
print(string.format("%d %d %d", main(n)))
