-- string.format with widths, precision and conversions, and concatenation.
local format = string.format

local function main(n)
  local s, width = 0, 12
  for i = 0, n - 1 do
    local x = i * 0.37
    local name = "item" .. i
    s = s + #format("%06d|%10.3f|%-12s|%x|'%s'", i, x, name, i, name)
    s = s + #(i .. " and " .. i + 1 .. " make " .. i + i + 1)
    s = s + #format("%5d %s %.2f", i, name, x)
    s = s + #format("%8d %s", i, name)
  end
  return s
end

local n = tonumber(arg[1]) or 300000
print(string.format("%d", main(n)))
