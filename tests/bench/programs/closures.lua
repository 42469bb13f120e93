-- Closures made, counted up through upvalues, composed and called.
local function counter(step)
  local value = 0
  return function()
    value = value + step
    return value
  end
end

local function compose(f, g)
  return function(x) return f(g(x)) end
end

local function main(n)
  local s = 0
  local a, b = counter(1), counter(3)
  local f = compose(function(x) return x + 1 end, function(x) return x * 2 end)
  for i = 0, n - 1 do
    s = s + a() + b() + f(i)
    if i % 4 == 0 then
      local c = counter(i)
      s = s + c()
    end
  end
  return s
end

local n = tonumber(arg[1]) or 1500000
print(string.format("%d", main(n)))
