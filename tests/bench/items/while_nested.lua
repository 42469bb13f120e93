-- Items: turns of the inner of two while loops; n is a multiple of 1,000.
local function main(m)
  local i, s = 0, 0
  while i < m do
    local j = 0
    while j < 1000 do
      s = (s + i * j) % 1000003
      j = j + 1
    end
    i = i + 1
  end
  return s
end

local n = tonumber(arg[1])
print(string.format("%d %d", n, main(n / 1000)))
