-- Sum over a numeric for.
local function main(n)
  local s = 0
  for i = 0, n - 1 do s = s + i end
  return s
end

local n = tonumber(arg[1]) or 15000000
print(string.format("%d", main(n)))
