-- Items: calls of a method that adds to a field.
local Cell = {}
Cell.__index = Cell
function Cell.add(self, d) self.x = self.x + d end

local function main(cell, n)
  for i = 0, n - 1 do cell:add(i) end
  return cell.x
end

local n = tonumber(arg[1])
print(string.format("%d %d", n, main(setmetatable({ x = 0 }, Cell), n)))
