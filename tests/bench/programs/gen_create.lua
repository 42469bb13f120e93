-- Many coroutines that live for three items each.
local yield, wrap = coroutine.yield, coroutine.wrap

local function three(x)
  return wrap(function()
    yield(x)
    yield(x + 1)
    yield(x + 2)
  end)
end

local function main(n)
  local s = 0
  for i = 0, n - 1 do
    for x in three(i) do s = s + x end
  end
  return s
end

local n = tonumber(arg[1]) or 2500000
print(string.format("%d", main(n)))
