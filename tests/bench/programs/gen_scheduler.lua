-- Ten thousand coroutines on a round-robin scheduler; each ends with a value.
local TASKS = 10000
local create, resume, status, yield = coroutine.create, coroutine.resume, coroutine.status, coroutine.yield

local function task(name, steps)
  return create(function()
    local s = name
    for i = 0, steps - 1 do
      s = (s * 5 + i) % 4099
      yield()
    end
    return s
  end)
end

local function run(queue, last)
  local s, switches, first = 0, 0, 1
  while first <= last do
    local t = queue[first]
    queue[first] = nil
    first = first + 1
    local _, value = resume(t)
    if status(t) == "dead" then
      s = s + value
    else
      switches = switches + 1
      last = last + 1
      queue[last] = t
    end
  end
  return s, switches
end

local n = tonumber(arg[1]) or 250
local queue = {}
for name = 0, TASKS - 1 do queue[name + 1] = task(name, n + name % 7) end
print(string.format("%d %d", run(queue, TASKS)))
