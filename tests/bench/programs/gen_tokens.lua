-- A calculator: characters to tokens to values, each a coroutine over the one before.
local yield, wrap = coroutine.yield, coroutine.wrap
local byte, sub = string.byte, string.sub

local function tokens(text)
  return wrap(function()
    local i, n = 1, #text
    while i <= n do
      local c = byte(text, i)
      if c == 32 then
        i = i + 1
      elseif 48 <= c and c <= 57 then
        local value = 0
        while c and 48 <= c and c <= 57 do
          value = value * 10 + c - 48
          i = i + 1
          c = byte(text, i)
        end
        yield("number", value)
      else
        yield("operator", sub(text, i, i))
        i = i + 1
      end
    end
    yield("end", "")
  end)
end

local function values(stream)
  return wrap(function()
    local s, product, sign = 0, 1, 1
    for kind, value in stream do
      if kind == "number" then
        product = product * value % 9973
      elseif value ~= "*" then
        s = s + sign * product
        product = 1
        sign = value == "-" and -1 or 1
        if value == ";" or kind == "end" then
          yield(s)
          s = 0
        end
      end
    end
  end)
end

local function main(n)
  local text = " 12 * 3 + 456 - 7 * 89 + 1024; 5 + 77 * 6 - 3; 1000 - 999 * 2 + 41"
  local s = 0
  for _ = 1, n do
    for value in values(tokens(text)) do s = (s * 7 + value) % 1000003 end
  end
  return s
end

local n = tonumber(arg[1]) or 60000
print(string.format("%d", main(n)))
