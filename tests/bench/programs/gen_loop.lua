-- One generator, one loop over it.
local yield, wrap = coroutine.yield, coroutine.wrap

local function count(n)
  return wrap(function()
    local i = 0
    while i < n do
      yield(i)
      i = i + 1
    end
  end)
end

local function total(items)
  local s = 0
  for x in items do s = s + x end
  return s
end

local n = tonumber(arg[1]) or 10000000
print(string.format("%d", total(count(n))))
