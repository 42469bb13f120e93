-- Items that come from four levels down in one coroutine (Lua needs no delegation for it).
local yield, wrap = coroutine.yield, coroutine.wrap

local function numbers(n)
  local i = 0
  while i < n do
    yield(i)
    i = i + 1
  end
end

local function level(depth, n)
  if depth == 0 then
    numbers(n)
  else
    level(depth - 1, n)
  end
end

local function total(items)
  local s = 0
  for x in items do s = s + x end
  return s
end

local n = tonumber(arg[1]) or 4000000
print(string.format("%d", total(wrap(function() level(3, n) end))))
