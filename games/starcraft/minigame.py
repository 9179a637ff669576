MINIGAMES=()
def summary(n): return ""
def make(n,p): return None
