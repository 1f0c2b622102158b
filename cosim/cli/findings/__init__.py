"""What commands leave and say of what they found: verdict, triage of the first difference, JUnit.

The work is `cosim.verify`'s and `cosim.report`'s; here it is decided when it is done, and where to.
"""
