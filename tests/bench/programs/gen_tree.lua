-- A binary tree walked in order by one coroutine that recurses (the idiom of Lua).
local yield, wrap = coroutine.yield, coroutine.wrap

local function build(low, high)
  if low >= high then return nil end
  local middle = math.floor((low + high) / 2)
  return { left = build(low, middle), value = middle, right = build(middle + 1, high) }
end

local function visit(node)
  if node then
    visit(node.left)
    yield(node.value)
    visit(node.right)
  end
end

local function walk(node)
  return wrap(function() visit(node) end)
end

local function main(rounds)
  local root = build(0, 65535)
  local s = 0
  for _ = 1, rounds do
    for value in walk(root) do s = (s * 3 + value) % 1000003 end
  end
  return s
end

local n = tonumber(arg[1]) or 12
print(string.format("%d", main(n)))
