-- A product of two square matrices, rows as arrays of floats.
local function matrix(n, seed)
  local rows = {}
  for i = 0, n - 1 do
    local row = {}
    for j = 0, n - 1 do row[j + 1] = ((i * seed + j * 7) % 23) / 8.0 end
    rows[i + 1] = row
  end
  return rows
end

local function multiply(a, b)
  local n = #a
  local columns = {}
  for j = 1, n do
    local column = {}
    for i = 1, n do column[i] = b[i][j] end
    columns[j] = column
  end
  local out = {}
  for i = 1, n do
    local row, line = a[i], {}
    for j = 1, n do
      local column, s = columns[j], 0.0
      for k = 1, n do s = s + row[k] * column[k] end
      line[j] = s
    end
    out[i] = line
  end
  return out
end

local n = tonumber(arg[1]) or 260
local c = multiply(matrix(n, 3), matrix(n, 5))
local trace = 0.0
for i = 1, n do trace = trace + c[i][i] + c[i][n + 1 - i] end
print(string.format("%.6f", trace))
