-- Items: turns of a loop that reads two fields and writes one.
local function main(cell, n)
  for _ = 1, n do cell.x = cell.x + cell.y end
  return cell.x
end

local n = tonumber(arg[1])
print(string.format("%d %d", n, main({ x = 0, y = 3 }, n)))
