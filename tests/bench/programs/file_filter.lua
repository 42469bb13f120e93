-- Lines of a log file through a chain of coroutines: a lazy grep, cut and sum.
local yield, wrap = coroutine.yield, coroutine.wrap
local find, match = string.find, string.match

local function lines_of(path, limit)
  return wrap(function()
    local count = 0
    for line in assert(io.open(path)):lines() do
      yield(line)
      count = count + 1
      if count == limit then return end
    end
  end)
end

local function matching(lines, word)
  return wrap(function()
    for line in lines do
      if find(line, word, 1, true) then yield(line) end
    end
  end)
end

local function durations(lines)
  return wrap(function()
    for line in lines do yield(tonumber(match(line, "^%S+ %S+ %S+ %S+ (%S+)"))) end
  end)
end

local n = tonumber(arg[1]) or 1000000
local s = 0
for d in durations(matching(lines_of(arg[2] or "build/bench-data/lines.txt", n), "INFO")) do s = s + d end
print(string.format("%d", s))
