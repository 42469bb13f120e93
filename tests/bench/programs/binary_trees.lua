-- Binary trees allocated, walked and dropped.
local Node = {}
Node.__index = Node

function Node.new(left, right) return setmetatable({ left = left, right = right }, Node) end
function Node.check(self)
  if not self.left then return 1 end
  return 1 + self.left:check() + self.right:check()
end

local function tree(depth)
  if depth == 0 then return Node.new(nil, nil) end
  return Node.new(tree(depth - 1), tree(depth - 1))
end

local function main(n)
  local kept, s = tree(n), 0
  for depth = 4, n, 4 do
    for _ = 1, 2 ^ (n - depth + 2) do s = s + tree(depth):check() end
  end
  return s, kept:check()
end

local n = tonumber(arg[1]) or 16
print(string.format("%d %d", main(n)))
