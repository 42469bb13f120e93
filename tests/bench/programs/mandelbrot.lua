-- The Mandelbrot set: float arithmetic in locals.
local function main(n)
  local inside, turns = 0, 0
  for py = 0, n - 1 do
    local ci = 2.0 * py / n - 1.0
    for px = 0, n - 1 do
      local cr = 3.0 * px / n - 2.0
      local zr, zi, i = 0.0, 0.0, 0
      while i < 50 do
        local zr2, zi2 = zr * zr, zi * zi
        if zr2 + zi2 > 4.0 then break end
        zi = 2.0 * zr * zi + ci
        zr = zr2 - zi2 + cr
        i = i + 1
      end
      turns = turns + i
      if i == 50 then inside = inside + 1 end
    end
  end
  return inside, turns
end

local n = tonumber(arg[1]) or 500
print(string.format("%d %d", main(n)))
