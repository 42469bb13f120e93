-- Shortest paths in a grid by a binary heap written in the script.
local floor = math.floor

local function push(heap, size, item)
  local i = size + 1
  while i > 1 do
    local parent = floor(i / 2)
    if heap[parent] <= item then break end
    heap[i] = heap[parent]
    i = parent
  end
  heap[i] = item
  return size + 1
end

local function pop(heap, size)
  local top, item = heap[1], heap[size]
  heap[size] = nil
  size = size - 1
  if size > 0 then
    local i = 1
    while true do
      local child = 2 * i
      if child > size then break end
      if child < size and heap[child + 1] < heap[child] then child = child + 1 end
      if item <= heap[child] then break end
      heap[i] = heap[child]
      i = child
    end
    heap[i] = item
  end
  return top, size
end

local function main(n)
  local width = 40
  local height = floor(n / 40) + 2
  local cells = width * height
  local cost = {}
  for i = 0, cells - 1 do cost[i] = 1 + (i * 7919 + floor(i / 13)) % 9 end
  local steps, s = { -1, 1, -width, width }, 0
  for _, start in ipairs({ 0, floor(cells / 2), cells - 1 }) do
    local best = {}
    for i = 0, cells - 1 do best[i] = 1000000000 end
    best[start] = 0
    local heap, size = {}, 0
    size = push(heap, size, start)
    while size > 0 do
      local key
      key, size = pop(heap, size)
      local distance, at = floor(key / cells), key % cells
      if distance <= best[at] then
        local x = at % width
        for i = 1, 4 do
          local step = steps[i]
          local to = at + step
          if not (to < 0 or to >= cells or (step == -1 and x == 0) or (step == 1 and x == width - 1)) then
            local d = distance + cost[to]
            if d < best[to] then
              best[to] = d
              size = push(heap, size, d * cells + to)
            end
          end
        end
      end
    end
    local total = 0
    for i = 0, cells - 1 do total = total + best[i] end
    s = (s * 31 + total) % 1000003
  end
  return s
end

local n = tonumber(arg[1]) or 120000
print(string.format("%d", main(n)))
