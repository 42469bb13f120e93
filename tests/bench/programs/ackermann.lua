-- Ackermann's function: deep recursion in two arguments. The result goes through a local, as
-- a tail call would make it another program than the one compared.
local function ackermann(m, n)
  if m == 0 then return n + 1 end
  local r
  if n == 0 then
    r = ackermann(m - 1, 1)
  else
    r = ackermann(m - 1, ackermann(m, n - 1))
  end
  return r
end

local n = tonumber(arg[1]) or 9
print(string.format("%d", ackermann(3, n)))
