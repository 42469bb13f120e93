-- Fields of one table read and written in a loop, and a method called on it.
local Cell = {}
Cell.__index = Cell
function Cell.new(x, y) return setmetatable({ x = x, y = y }, Cell) end
function Cell.add(self, d) self.x = self.x + d end

local function main(n)
  local cell = Cell.new(0, 3)
  for i = 0, n - 1 do
    cell.x = cell.x + cell.y
    cell:add(i)
  end
  return cell.x
end

local n = tonumber(arg[1]) or 6000000
print(string.format("%d", main(n)))
