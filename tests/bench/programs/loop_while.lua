-- Two nested while loops over integers.
local function main(n)
  local i, s = 0, 0
  while i < n do
    local j = 0
    while j < 1000 do
      s = (s + i * j) % 1000003
      j = j + 1
    end
    i = i + 1
  end
  return s
end

local n = tonumber(arg[1]) or 8000
print(string.format("%d", main(n)))
