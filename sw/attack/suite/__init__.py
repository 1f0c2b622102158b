"""What attacks on one network cost it: FGSM by three ways (`ways`), or a suite of several attacks.

`members` names a suite's attacks, `measure` runs them a block at a time (`blocks`), `flags` says
where figures are not to be believed, `pages` shows them.
"""
