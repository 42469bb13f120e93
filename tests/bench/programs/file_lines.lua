-- A log file of 200 MB read by lines; n is the number of lines to stop after.
local sub = string.sub

local function main(limit, path)
  local lines, characters, errors = 0, 0, 0
  local file = assert(io.open(path))
  for line in file:lines() do
    lines = lines + 1
    characters = characters + #line + 1
    if sub(line, 1, 5) == "ERROR" then errors = errors + 1 end
    if lines == limit then break end
  end
  file:close()
  return lines, characters, errors
end

local n = tonumber(arg[1]) or 100000000
print(string.format("%d %d %d", main(n, arg[2] or "build/bench-data/lines.txt")))
