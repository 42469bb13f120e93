-- Items: values yielded and summed.
local yield, wrap = coroutine.yield, coroutine.wrap

local function numbers(n)
  return wrap(function()
    local i = 0
    while i < n do
      yield(i)
      i = i + 1
    end
  end)
end

local function main(n)
  local s = 0
  for x in numbers(n) do s = s + x end
  return s
end

local n = tonumber(arg[1])
print(string.format("%d %d", n, main(n)))
