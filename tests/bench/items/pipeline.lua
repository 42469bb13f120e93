-- Items: values times stages of the pipeline that they pass.
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

local function stage(items)
  return wrap(function()
    for x in items do yield(x + 1) end
  end)
end

local function main(n, stages)
  local items = numbers(n)
  for _ = 1, stages do items = stage(items) end
  local s = 0
  for x in items do s = s + x end
  return s
end

local n, stages = tonumber(arg[1]), tonumber(arg[2])
print(string.format("%d %d", n * stages, main(n, stages)))
