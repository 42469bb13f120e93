-- Records sorted by comparison functions and by a class with __lt.
local Record = {}
Record.__index = Record
function Record.__lt(a, b)
  if a.rank ~= b.rank then return a.rank < b.rank end
  return a.name < b.name
end

local function sorted(items, count, before)
  local out = {}
  for i = 1, count do out[i] = items[i] end
  table.sort(out, before)
  return out
end

local function main(n)
  local seed, records = 42, {}
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    records[i] = setmetatable({ name = string.format("r%d", seed), rank = seed % 1000 }, Record)
  end
  local by_name = sorted(records, n, function(a, b) return a.name < b.name end)
  local by_both = sorted(records, n, function(a, b)
    if a.rank ~= b.rank then return a.rank > b.rank end
    return a.name < b.name
  end)
  local by_itself = sorted(records, math.floor(n / 5))
  local s = 0
  for _, ordered in ipairs({ by_name, by_both, by_itself }) do
    for i = 1, #ordered, math.floor(#ordered / 30) do
      s = (s * 7 + ordered[i].rank + #ordered[i].name) % 1000003
    end
  end
  return s, by_name[1].name, by_both[1].name, by_itself[1].name
end

local n = tonumber(arg[1]) or 150000
print(string.format("%d %s %s %s", main(n)))
