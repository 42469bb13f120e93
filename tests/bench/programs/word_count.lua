-- Words of a log file counted, the most frequent ones listed.
local function main(limit, path)
  local counts, lines = {}, 0
  local file = assert(io.open(path))
  for line in file:lines() do
    for word in string.gmatch(line, "%S+") do counts[word] = (counts[word] or 0) + 1 end
    lines = lines + 1
    if lines == limit then break end
  end
  file:close()
  local ranked = {}
  for word, count in pairs(counts) do ranked[#ranked + 1] = { word, count } end
  table.sort(ranked, function(a, b)
    if a[2] ~= b[2] then return a[2] > b[2] end
    return a[1] < b[1]
  end)
  local s = 0
  for i = 1, math.min(100, #ranked) do
    s = (s * 31 + ranked[i][2] * #ranked[i][1]) % 1000003
  end
  return lines, #ranked, s, ranked[1][1], ranked[1][2]
end

local n = tonumber(arg[1]) or 400000
print(string.format("%d %d %d %s %d", main(n, arg[2] or "build/bench-data/lines.txt")))
