-- A pipeline of five stages: source, map, filter, running sum, pairs.
local yield, wrap = coroutine.yield, coroutine.wrap

local function source(n)
  return wrap(function()
    for i = 0, n - 1 do yield(i) end
  end)
end

local function scaled(items, factor)
  return wrap(function()
    for x in items do yield(x * factor) end
  end)
end

local function without(items, divisor)
  return wrap(function()
    for x in items do
      if x % divisor ~= 0 then yield(x) end
    end
  end)
end

local function running(items)
  return wrap(function()
    local s = 0
    for x in items do
      s = (s + x) % 65537
      yield(s)
    end
  end)
end

local function pairs_of(items)
  return wrap(function()
    for x in items do
      local y = items()
      if y == nil then
        yield(x)
        return
      end
      yield(x - y)
    end
  end)
end

local function total(items)
  local s = 0
  for x in items do s = s + x end
  return s
end

local n = tonumber(arg[1]) or 3000000
print(string.format("%d", total(pairs_of(running(without(scaled(source(n), 3), 5))))))
