-- The edit distance of two texts: a table of small integers, min of three.
local min, sub, floor = math.min, string.sub, math.floor

local function distance(a, b)
  local previous = {}
  for j = 0, #b do previous[j + 1] = j end
  for i = 1, #a do
    local ca, current = sub(a, i, i), { i }
    for j = 1, #b do
      if ca == sub(b, j, j) then
        current[j + 1] = previous[j]
      else
        current[j + 1] = 1 + min(previous[j], previous[j + 1], current[j])
      end
    end
    previous = current
  end
  return previous[#b + 1]
end

local function text(n, seed)
  local out = {}
  for i = 1, n do
    seed = seed * 16807 % 2147483647
    local k = floor(seed / 1000) % 4 + 1
    out[i] = sub("acgt", k, k)
  end
  return table.concat(out)
end

local n = tonumber(arg[1]) or 1800
print(string.format("%d", distance(text(n, 42), text(n, 43))))
