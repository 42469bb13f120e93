-- Pancake flips over all permutations: small arrays indexed and reversed.
local function main(n)
  local p, q, counts = {}, {}, {}
  for i = 1, n do p[i] = i end
  local flips_max, checksum, index, r = 0, 0, 0, n
  while true do
    while r ~= 1 do
      counts[r] = r
      r = r - 1
    end
    local first = p[1]
    if first ~= 1 then
      for i = 1, n do q[i] = p[i] end
      local flips = 0
      while first ~= 1 do
        local i, j = 1, first
        while i < j do
          q[i], q[j] = q[j], q[i]
          i, j = i + 1, j - 1
        end
        flips = flips + 1
        first = q[1]
      end
      if flips > flips_max then flips_max = flips end
      if index % 2 == 1 then checksum = checksum - flips else checksum = checksum + flips end
    end
    while true do
      if r == n then return checksum, flips_max end
      local head = p[1]
      for i = 1, r do p[i] = p[i + 1] end
      p[r + 1] = head
      counts[r + 1] = counts[r + 1] - 1
      if counts[r + 1] > 0 then break end
      r = r + 1
    end
    index = index + 1
  end
end

local n = tonumber(arg[1]) or 9
print(string.format("%d %d", main(n)))
