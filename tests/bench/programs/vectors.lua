-- Operator overloading and comparison by metamethods on a small vector class.
local Vector = {}
Vector.__index = Vector

local function vector(x, y) return setmetatable({ x = x, y = y }, Vector) end

function Vector.norm(v) return v.x * v.x + v.y * v.y end
function Vector.at(v, i) if i ~= 0 then return v.y else return v.x end end
function Vector.__add(a, b) return vector(a.x + b.x, a.y + b.y) end
function Vector.__sub(a, b) return vector(a.x - b.x, a.y - b.y) end
function Vector.__mul(a, k) return vector(a.x * k, a.y * k) end
function Vector.__unm(a) return vector(-a.x, -a.y) end
function Vector.__eq(a, b) return a.x == b.x and a.y == b.y end
function Vector.__lt(a, b) return a:norm() < b:norm() end

local function main(n)
  local s = 0
  local position = vector(0, 0)
  for i = 0, n - 1 do
    local v = vector(i % 13, i % 7)
    position = position + v * 2 - vector(1, 1)
    local w = -v
    if w < position then s = s + 1 end
    if v == w then s = s + position:at(0) % 5 end
    s = s + v:norm() + w:at(1)
  end
  return s, position.x, position.y
end

local n = tonumber(arg[1]) or 400000
print(string.format("%d %d %d", main(n)))
