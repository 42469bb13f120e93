-- A million suspended coroutines alive at once, each stepped three times.
local yield, wrap = coroutine.yield, coroutine.wrap

local function walker(start, step)
  return wrap(function()
    local position = start
    while true do
      yield(position)
      position = position + step
    end
  end)
end

local function main(n)
  local alive = {}
  for i = 0, n - 1 do alive[i + 1] = walker(i, i % 5) end
  local s = 0
  for _ = 1, 3 do
    for i = 1, n do s = s + alive[i]() end
  end
  return s
end

local n = tonumber(arg[1]) or 1000000
print(string.format("%d", main(n)))
