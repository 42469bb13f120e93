-- All solutions of n queens, one coroutine that recurses by rows.
local yield, wrap = coroutine.yield, coroutine.wrap

local function place(row, n, columns, up, down, board)
  if row > n then
    yield(board)
    return
  end
  for column = 1, n do
    if not columns[column] and not up[row + column] and not down[row - column + n] then
      columns[column], up[row + column], down[row - column + n] = true, true, true
      board[row] = column - 1
      place(row + 1, n, columns, up, down, board)
      columns[column], up[row + column], down[row - column + n] = false, false, false
    end
  end
end

local function falses(n)
  local t = {}
  for i = 1, n do t[i] = false end
  return t
end

local function main(n)
  local found, s = 0, 0
  local solutions = wrap(function() place(1, n, falses(n), falses(2 * n), falses(2 * n), {}) end)
  for board in solutions do
    found = found + 1
    for _, column in ipairs(board) do s = (s * 11 + column) % 1000003 end
  end
  return found, s
end

local n = tonumber(arg[1]) or 12
print(string.format("%d %d", main(n)))
