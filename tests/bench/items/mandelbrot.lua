-- Items: turns of the inner loop; n is the number of rows of 400 points.
local function main(width, height)
  local count, d, ci, y = 0, 3.0 / 400, -1.5, 0
  while y < height do
    local cr, x = -2.0, 0
    while x < width do
      local zr, zi, i = 0.0, 0.0, 0
      while i < 50 do
        local zr2, zi2 = zr * zr, zi * zi
        if zr2 + zi2 > 4.0 then break end
        zi = zr * 2.0 * zi + ci
        zr = zr2 - zi2 + cr
        i = i + 1
      end
      count = count + i
      cr = cr + d
      x = x + 1
    end
    ci = ci + d
    y = y + 1
  end
  return count
end

local items = main(400, tonumber(arg[1]))
print(string.format("%d %d", items, items))
