-- Methods, inheritance, calls of the parent's method and polymorphic calls by metatables.
local function class(parent)
  local c = {}
  c.__index = c
  return setmetatable(c, parent)
end

local Shape = class()
Shape.count = 0
function Shape.init(self, name)
  self.name = name
  Shape.count = Shape.count + 1
end
function Shape.area(self) return 0 end
function Shape.describe(self) return self:area() + #self.name end

local Rectangle = class(Shape)
function Rectangle.init(self, width, height)
  Shape.init(self, "rectangle")
  self.width = width
  self.height = height
end
function Rectangle.new(width, height)
  local self = setmetatable({}, Rectangle)
  Rectangle.init(self, width, height)
  return self
end
function Rectangle.area(self) return self.width * self.height end

local Square = class(Rectangle)
function Square.init(self, side) Rectangle.init(self, side, side) end
function Square.new(side)
  local self = setmetatable({}, Square)
  Square.init(self, side)
  return self
end
function Square.describe(self) return Rectangle.describe(self) + 1 end

local Account = class()
function Account.new() return setmetatable({ balance = 0 }, Account) end
function Account.deposit(self, amount)
  self.balance = self.balance + amount
  return self
end
function Account.total(self) return self.balance end

local function main(n)
  local s = 0
  local account = Account.new()
  for i = 0, n - 1 do
    local a, b = Rectangle.new(i % 10, 3), Square.new(i % 7)
    for _, shape in ipairs({ a, b }) do s = s + shape:describe() end
    account:deposit(i):deposit(1)
  end
  return s, account:total(), Shape.count
end

local n = tonumber(arg[1]) or 400000
print(string.format("%d %d %d", main(n)))
