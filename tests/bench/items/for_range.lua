-- Items: turns of a numeric for.
local function main(n)
  local s = 0
  for i = 0, n - 1 do s = s + i end
  return s
end

local n = tonumber(arg[1])
print(string.format("%d %d", n, main(n)))
