-- Errors raised three calls deep, caught and raised again by pcall.
local Refused = {}
Refused.__index = Refused
local ValueError = {}
ValueError.__index = ValueError

local function check(x)
  if x % 3 == 0 then error(setmetatable({ message = "refused", code = x % 10 }, Refused)) end
  if x % 3 == 1 then error(setmetatable({ message = "one" }, ValueError)) end
  return x
end

local function middle(x, log)
  local ok, value = pcall(check, x)
  log[1] = log[1] + 1
  if not ok then error(value) end
  return value
end

local function outer(x, log)
  local ok, value = pcall(middle, x, log)
  if ok then return value % 7 end
  if getmetatable(value) == Refused then return value.code end
  log[2] = log[2] + 1
  error(value)
end

local function lookup(t, key)
  local value = t[key]
  if value == nil then error("KeyError") end
  return value
end

local function main(n)
  local s = 0
  local log = { 0, 0 }
  local t = { [1] = 1, [2] = 2 }
  for i = 0, n - 1 do
    local ok, value = pcall(outer, i, log)
    if ok then s = s + value else s = s + #value.message end
    ok, value = pcall(lookup, t, i % 5)
    if ok then s = s + value else s = s + 1 end
  end
  return s, log[1], log[2]
end

local n = tonumber(arg[1]) or 500000
print(string.format("%d %d %d", main(n)))
