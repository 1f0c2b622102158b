"""`nc64c bench check`: is it as fast as it was, by ratios that hold on any machine?"""
