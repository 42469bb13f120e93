-- A coroutine that is fed by its resumer and answers each time.
local yield, wrap = coroutine.yield, coroutine.wrap

local function smoother()
  local level, seen = 0, 0
  while true do
    local value = yield(level)
    seen = seen + 1
    level = (level * 3 + value + seen) % 10007
  end
end

local function main(n)
  local s = 0
  local send = wrap(smoother)
  send()
  for i = 0, n - 1 do s = s + send(i) end
  return s
end

local n = tonumber(arg[1]) or 5000000
print(string.format("%d", main(n)))
