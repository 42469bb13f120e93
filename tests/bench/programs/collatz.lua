-- The longest Collatz sequence below n: tests, halving, multiplying.
local floor = math.floor

local function main(n)
  local best, best_start = 0, 0
  for start = 1, n - 1 do
    local x, length = start, 1
    while x ~= 1 do
      if x % 2 == 0 then
        x = floor(x / 2)
      else
        x = 3 * x + 1
      end
      length = length + 1
    end
    if length > best then best, best_start = length, start end
  end
  return best_start, best
end

local n = tonumber(arg[1]) or 90000
print(string.format("%d %d", main(n)))
